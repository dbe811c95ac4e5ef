#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int alive;
struct Counted {
    Counted() { alive++; }
    ~Counted() { alive--; }
};

int deep(int n)
{
    Counted here;
    if (n == 0)
        throw std::out_of_range("bottom");
    try {
        return deep(n - 1) + 1;
    } catch (const std::invalid_argument &) {
        return -1;
    }
}

int main(int argc, char **)
{
    if (argc > 1)
        throw std::logic_error("nobody catches this");
    long caught = 0;
    for (int i = 0; i < 2000; i++)
        try {
            deep(i % 100);
        } catch (const std::exception &error) {
            caught += std::string(error.what()).size();
        }
    std::cout << caught << ' ' << alive << '\n';
    auto future = std::async(std::launch::async, [] { return deep(10); });
    try {
        future.get();
    } catch (const std::out_of_range &error) {
        std::cout << "from a thread: " << error.what() << '\n';
    }
    std::vector<std::thread> threads;
    std::vector<long> sums(4);
    for (int t = 0; t < 4; t++)
        threads.emplace_back([t, &sums] {
            for (int i = 0; i < 500; i++)
                try {
                    deep(20 + t);
                } catch (...) {
                    sums[t] += i;
                }
        });
    for (auto &thread : threads)
        thread.join();
    std::cout << sums[0] << ' ' << sums[3] << '\n';
    try {
        try {
            std::map<int, int>().at(5);
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
        } catch (const std::exception &inner) {
            std::cout << outer.what() << " holds " << inner.what() << '\n';
        }
    }
    try {
        delete[] new char[static_cast<size_t>(-1) / 4];
    } catch (const std::bad_alloc &) {
        std::cout << "bad_alloc\n";
    }
}

import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

/** Compiled loops, exceptions of every origin, locks and collections over several threads. */
public class Compute {
    static int depth(int n) { return n == 0 ? Integer.parseInt("no number") : depth(n - 1) + 1; }

    static long mix(long seed, int rounds) {
        for (int i = 0; i < rounds; i++) seed = seed * 6364136223846793005L + (seed >>> 33) + i;
        return seed;
    }

    static int length(String text) { return text.length(); }

    static int endless(int n) { return endless(n + 1) + 1; }

    static final Object lock = new Object();
    static int turns;

    public static void main(String[] args) throws Exception {
        int scale = args.length > 0 ? 1 : 20;
        ExecutorService pool = Executors.newFixedThreadPool(6);
        List<Future<Long>> futures = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            final int id = i;
            futures.add(pool.submit(() -> mix(id, 100000 * scale)));
        }
        long sum = 0;
        for (Future<Long> f : futures) sum ^= f.get();
        System.out.println("sum " + sum);

        // Null checks are done by faults once the code is compiled, divisions too.
        int nulls = 0, divisions = 0, bounds = 0, numbers = 0, casts = 0;
        int[] cells = new int[10];
        for (int i = 0; i < 5000 * scale; i++) {
            try { length(i % 100 == 0 ? null : "abc"); } catch (NullPointerException e) { nulls++; }
            try { cells[0] += 100 / (i % 50); } catch (ArithmeticException e) { divisions++; }
            try { cells[i % 11]++; } catch (ArrayIndexOutOfBoundsException e) { bounds++; }
            if (i % 100 == 0) try { depth(i % 30); } catch (NumberFormatException e) { numbers++; }
            try { Object o = i % 7 == 0 ? (Object) "s" : i; cells[1] += (Integer) o & 1; } catch (ClassCastException e) { casts++; }
        }
        System.out.println(nulls + " " + divisions + " " + bounds + " " + numbers + " " + casts);
        int overflows = 0;
        for (int i = 0; i < 3; i++) try { endless(0); } catch (StackOverflowError e) { overflows++; }
        System.out.println("overflows " + overflows);

        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            final int id = t;
            threads[t] = new Thread(() -> {
                for (int i = 0; i < 200 * scale; i++)
                    synchronized (lock) {
                        while (turns % threads.length != id) try { lock.wait(); } catch (InterruptedException e) { return; }
                        turns++;
                        lock.notifyAll();
                    }
            });
            threads[t].start();
        }
        for (Thread t : threads) t.join();
        System.out.println("turns " + turns / scale);

        // Garbage while others read.
        ConcurrentHashMap<Integer, byte[]> map = new ConcurrentHashMap<>();
        AtomicLong bytes = new AtomicLong();
        IntStream.range(0, 20000).parallel().forEach(i -> { map.put(i % 500, new byte[1000 + i % 7]); bytes.addAndGet(map.get(i % 500).length > 0 ? 1 : 0); });
        System.gc();
        System.out.println(map.size() + " " + bytes);
        System.out.println(IntStream.range(0, 2000).boxed().sorted(Comparator.reverseOrder()).map(String::valueOf).collect(Collectors.joining(",")).hashCode());
        Thread sleeper = new Thread(() -> { try { Thread.sleep(1000000); } catch (InterruptedException e) { System.out.println("interrupted"); } });
        sleeper.start();
        sleeper.interrupt();
        sleeper.join();
        pool.shutdown();
        Process child = new ProcessBuilder("sh", "-c", "echo child; exit 4").inheritIO().start();
        System.out.println("child " + child.waitFor());
        throw new IllegalStateException("the end");
    }
}

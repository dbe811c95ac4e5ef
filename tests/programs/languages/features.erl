-module(features).
-export([main/0]).

fib(N) when N < 2 -> N;
fib(N) -> fib(N - 1) + fib(N - 2).

main() ->
    io:format("~p~n", [fib(24)]),
    Self = self(),
    [spawn(fun() -> Self ! I * I end) || I <- lists:seq(1, 1000)],
    io:format("~p~n", [lists:sum([receive X -> X end || _ <- lists:seq(1, 1000)])]),
    io:format("~s", [os:cmd("echo a child")]),
    {ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Port} = inet:port(Listener),
    spawn(fun() ->
        {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, []),
        gen_tcp:send(Socket, "over a socket"),
        gen_tcp:close(Socket)
    end),
    {ok, Accepted} = gen_tcp:accept(Listener),
    {ok, Text} = gen_tcp:recv(Accepted, 0),
    io:format("~s~n", [Text]),
    io:format("~p~n", [catch 1 / list_to_integer("0")]),
    halt(4).

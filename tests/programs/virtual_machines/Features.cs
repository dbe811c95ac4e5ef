using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;

class Features
{
    static int Fib(int n) { return n < 2 ? n : Fib(n - 1) + Fib(n - 2); }

    static int Main()
    {
        Console.WriteLine(Fib(25));
        try { object none = null; Console.WriteLine(none.ToString()); }
        catch (NullReferenceException) { Console.WriteLine("no object"); }
        try { int zero = 0; Console.WriteLine(1 / zero); }
        catch (DivideByZeroException) { Console.WriteLine("division"); }
        var threads = new List<Thread>();
        int sum = 0;
        for (int i = 0; i < 4; i++)
        {
            var thread = new Thread(() =>
            {
                for (int k = 0; k < 1000; k++)
                {
                    Interlocked.Add(ref sum, new int[k].Length);
                    if (k % 100 == 0) GC.Collect();
                }
            });
            threads.Add(thread);
            thread.Start();
        }
        foreach (var thread in threads) thread.Join();
        Console.WriteLine(sum);
        var child = Process.Start(new ProcessStartInfo("/bin/echo", "a child") { UseShellExecute = false });
        child.WaitForExit();
        Console.WriteLine(child.ExitCode);
        return 5;
    }
}

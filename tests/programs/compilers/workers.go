package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func sum(n int) (s uint64) {
	for i := 0; i < n; i++ {
		s = s*31 + uint64(i)
	}
	return
}

func main() {
	runtime.GOMAXPROCS(4)
	work, results := make(chan int), make(chan uint64, 100)
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range work {
				results <- sum(n)
			}
		}()
	}
	go func() {
		for i := 0; i < 2000; i++ {
			work <- i
		}
		close(work)
		group.Wait()
		close(results)
	}()
	var total uint64
	for r := range results {
		total += r
	}
	fmt.Println("total", total)

	// Loops without calls are left only by preemption signals.
	runtime.GOMAXPROCS(1)
	var stop int32
	go func() {
		for atomic.LoadInt32(&stop) == 0 {
		}
	}()
	for i := 0; i < 20; i++ {
		runtime.Gosched()
	}
	atomic.StoreInt32(&stop, 1)
	// Spins until the ticker was served, which only preemption lets happen.
	var served int32
	spun := make(chan bool)
	go func() {
		for atomic.LoadInt32(&served) == 0 {
		}
		spun <- true
	}()
	timer := time.NewTicker(time.Millisecond)
	for ticks := 0; ticks < 3; ticks++ {
		<-timer.C
		runtime.Gosched()
	}
	atomic.StoreInt32(&served, 1)
	fmt.Println("preempted", <-spun)
	runtime.GOMAXPROCS(4)

	// nil dereference and division become panics that are recovered.
	recovered := 0
	try := func(f func()) {
		defer func() {
			if e := recover(); e != nil {
				fmt.Println("recovered:", e)
				recovered++
			}
		}()
		f()
	}
	var null *struct{ a, b [1]int }
	zero := 0
	try(func() { fmt.Println(null.b[0]) })
	try(func() { fmt.Println(1 / zero) })
	try(func() { fmt.Println([]int{1}[zero+5]) })

	// Garbage collection while many goroutines allocate and grow their stacks.
	var deep func(int) int
	deep = func(n int) int {
		var room [64]int
		room[n%64] = n
		if n == 0 {
			return 0
		}
		return deep(n-1) + room[n%64] - n + 1
	}
	var depths [20]int
	for i := range depths {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for k := 0; k < 10; k++ {
				depths[i] += deep(1000)
				_ = make([]byte, 1<<16)
			}
		}(i)
	}
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	group.Wait()
	fmt.Println("depths", depths[0], depths[19])

	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 100)
				n, _ := c.Read(b)
				c.Write(b[:n])
				c.Close()
			}()
		}
	}()
	var replies sync.Map
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			c, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(c, "hello %02d", i)
			b := make([]byte, 100)
			n, _ := c.Read(b)
			replies.Store(string(b[:n]), true)
		}(i)
	}
	group.Wait()
	var keys []string
	replies.Range(func(k, _ any) bool { keys = append(keys, k.(string)); return true })
	sort.Strings(keys)
	fmt.Println(len(keys), keys[0], keys[49])

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal", <-signals)
	out, err := exec.Command("sh", "-c", "echo child; exit 3").Output()
	fmt.Printf("%q %v\n", out, err)
	fmt.Printf("%x\n", sha256.Sum256([]byte("text")))
	os.Exit(recovered)
}

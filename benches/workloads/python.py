def fib(n): return n if n<2 else fib(n-1)+fib(n-2)
import sys
steps,words,depth=map(int,sys.argv[1:])
d={}
for i in range(steps): d[i%5003]=d.get(i%5003,0)+i*i%7
s=' '.join(str(x) for x in range(words)); w=sorted(s.split(),key=lambda x:x[::-1])
print(fib(depth),sum(d.values()),len(w))

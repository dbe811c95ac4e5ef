local function fib(n) if n<2 then return n end return fib(n-1)+fib(n-2) end
local t={} for i=1,tonumber(arg[1]) do t[i%1000]=(t[i%1000] or 0)+i end
print(fib(tonumber(arg[2])),t[5])

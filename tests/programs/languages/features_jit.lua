print(_VERSION, jit.status())
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(24))
local t = {} for i = 1, 20000 do t[i] = (i * 7919) % 20011 end
table.sort(t) print(t[1], t[100], t[20000])
local co = coroutine.wrap(function(...) local a = ... for i = 1, 5 do a = coroutine.yield(a * i) end return "end" end)
for i = 1, 6 do io.write(tostring(co(i)), " ") end print()
print((pcall(function() error({ code = 5 }) end)))
print(select(2, pcall(function() local x = nil; return x.y end)))
local s = string.rep("the quick brown fox ", 500)
local n, words = 0, {} for w in s:gmatch("%a+") do words[w] = (words[w] or 0) + 1 n = n + 1 end print(n, words.fox)
print(s:gsub("quick", "slow"):len(), ("%5.2f|%-5s|%x"):format(3.14159, "ab", 255))
local f = assert(io.open("out.txt", "w")) for i = 1, 100 do f:write(i, "\n") end f:close()
local sum = 0 for line in io.lines("out.txt") do sum = sum + tonumber(line) end print(sum)
local p = io.popen("echo from a child") print(p:read("*a")) p:close()
local mt = setmetatable({}, { __index = function(_, k) return k .. "!" end, __gc = function() end }) print(mt.hello)
collectgarbage() print(math.floor(2 ^ 53))
local ffi, bit = require("ffi"), require("bit")
ffi.cdef [[ int getpid(void); typedef struct { double x, y; } point; ]]
print(ffi.C.getpid() > 0)
local ps = ffi.new("point[?]", 10000) for i = 0, 9999 do ps[i].x, ps[i].y = i, i * 0.5 end
local s = 0 for r = 1, 100 do for i = 0, 9999 do s = s + ps[i].x * ps[i].y end end print(s)
local h = 0 for i = 1, 3e6 do h = bit.bxor(bit.lshift(h, 5), bit.rshift(h, 2), i) end print(h)
-- A trace that fails its guards now and then.
local mixed = 0 for i = 1, 1e5 do local v = i % 1000 == 0 and tostring(i) or i mixed = mixed + tonumber(v) end print(mixed)

import json, re, zlib, hashlib, decimal, random, sqlite3, tempfile, os, sys
random.seed(1)
data = [{"id": i, "name": f"n{random.randrange(1000)}", "v": random.random()} for i in range(3000)]
text = json.dumps(data); assert json.loads(text) == data
print(len(text), hashlib.sha256(text.encode()).hexdigest(), zlib.crc32(zlib.compress(text.encode(), 9)))
print(len(re.findall(r'"n(\d)\1\d*"', text)), sum(decimal.Decimal(i).sqrt() for i in range(100)))
db = sqlite3.connect(":memory:"); db.execute("create table t(id, name, v)")
db.executemany("insert into t values(:id, :name, :v)", data)
print(db.execute("select count(distinct name), round(sum(v), 6) from t").fetchone())
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
print(deep(900))
try: deep(10**6)
except RecursionError: print("RecursionError")
with tempfile.TemporaryDirectory() as d:
    for i in range(50): open(os.path.join(d, str(i)), "w").write("x" * i)
    print(sorted(os.listdir(d))[:5], sum(os.path.getsize(os.path.join(d, f)) for f in os.listdir(d)))
print(2 ** 4000 % 1000007, sys.maxsize, float.hex(sum(random.gauss(0, 1) for _ in range(1000))))

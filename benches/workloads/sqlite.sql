create table t(a integer primary key,b text,c int);
with recursive r(i) as (select 1 union all select i+1 from r where i<:rows) insert into t select i,'n'||(i*7919%1200007),i%1000 from r;
create index ib on t(b); select c,count(*),max(b) from t group by c order by 2 desc,1 limit 3;
select count(*) from t x join t y on x.b=y.b where x.c<500; select sum(length(b)) from t where b like '%77%';
with recursive m(i,x) as (select 1,1 union all select i+1,(x*1103515245+12345)%2147483648 from m where i<:steps) select sum(x) from m;

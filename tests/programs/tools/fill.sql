pragma journal_mode = wal;
create table item(id integer primary key, name text, price real, stock int);
create index by_name on item(name);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into item select i, 'item ' || (i * 7919 % 10007), (i % 997) / 10.0, i % 13 from n;
commit;
create trigger low after update on item when new.stock = 0 begin update item set price = price * 2 where id = new.id; end;
update item set stock = stock - 1 where stock > 0;
delete from item where id % 10 = 0;
create virtual table words using fts5(body);
insert into words values ('the quick brown fox'), ('jumps over the lazy dog');

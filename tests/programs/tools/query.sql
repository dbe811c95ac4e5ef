select count(*), round(sum(price), 2), max(stock) from item;
select name, count(*) c from item group by name having c > 1 order by c desc, name limit 5;
select a.id, b.id from item a join item b on a.name = b.name and a.id < b.id order by 1, 2 limit 5;
select body from words where words match 'lazy';
select id, sum(price) over (order by id rows 3 preceding) from item limit 5;
select json_group_array(json_object('id', id, 'name', name)) from (select * from item limit 3);
explain query plan select * from item where name = 'item 5';
vacuum;

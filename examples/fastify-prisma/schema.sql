create table "order" (
  id serial primary key,
  customer text not null
);
create table item (
  id serial primary key,
  order_id int not null references "order",
  article text not null
);
create index on item (order_id);

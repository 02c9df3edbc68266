create table reading (
  id serial primary key,
  sensor text not null,
  value double precision not null
);
create index on reading (sensor);

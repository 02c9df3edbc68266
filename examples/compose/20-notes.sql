-- Creates the example's table as the app's role, which owns the schema.
set role app;
create table note (
  id bigint generated always as identity primary key,
  text text not null,
  created_at timestamptz not null default now()
);

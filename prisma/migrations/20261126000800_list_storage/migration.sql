-- A list is random serials for the most part: to compress it takes a second for 40 MB and saves little, and to read it
-- takes the same again.
alter table ca.list alter column der set storage external;

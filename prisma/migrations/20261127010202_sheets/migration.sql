-- What was printed on a sheet: the next sheet of the same enrolment makes it void, since paper lies about.
alter table app.enrolment_link add column on_sheet boolean not null default false;

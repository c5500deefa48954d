-- How the person was identified to whom a certificate was given, or `api` where a program vouched for them. Of the
-- certificate, not of a tenant: it goes along when a device does, and stays when the enrolment is forgotten.
alter table ca.issued add column identified_how text check (identified_how ~ '^[a-z]+(-[a-z]+)*$' and length(identified_how) <= 40);
grant insert (identified_how) on ca.issued to suido_app;

update ca.issued i set identified_how = case when b.enrolment_id is null then 'api' else e.identified_how end
from app.binding b left join app.enrolment e on e.id = b.enrolment_id
where b.serial = i.serial and b.bound_from = (select min(f.bound_from) from app.binding f where f.serial = i.serial);

-- The way of a script on Windows: a secret of one hour, in place of the one before, which opens nothing but one certificate.
alter table app.enrolment_link
  drop constraint enrolment_link_kind_check,
  add constraint enrolment_link_kind_check check (kind in ('link', 'code', 'renewal', 'script'));
create unique index enrolment_link_script on app.enrolment_link (enrolment_id) where kind = 'script';

-- Where the script says that it keeps the key. Of the certificate, as how its person was identified is.
alter table ca.issued
  add column key_claim text check (key_claim in ('tpm', 'software')),
  add constraint claim_of_own_key check (key_claim is null or key_origin = 'subject');
grant insert (key_claim) on ca.issued to suido_app;

-- What renews itself does so on its day or the next that the machine is on: nobody is asked to within three days.
create or replace function app.keep_windows(serials bytea[], times timestamptz[]) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ca.renewal_window (serial, renew_from)
  select s, t + case when exists (select from ca.issued i where i.serial = s and i.key_claim is not null) then interval '3 days' else interval '0' end
  from unnest(serials, times) as kept (s, t) on conflict do nothing
$$;

-- Somebody waits before a page, or on the telephone, for a mail of these kinds, and it is of use for minutes: thousands of invitations
-- or reminders that are due before it go after it.
create index mail_urgent on app.mail (next_attempt_at, id) where state = 'due' and kind in ('enrolment-code', 'emergency-code', 'factor-link');

create or replace function app.claim_mails(at timestamptz, until timestamptz, size integer)
returns setof app.mail language sql security definer set search_path = pg_catalog, pg_temp as $$
  with urgent as materialized (
    select d.id from app.mail d where d.state = 'due' and d.kind in ('enrolment-code', 'emergency-code', 'factor-link')
      and d.next_attempt_at <= at and (d.leased_until is null or d.leased_until <= at)
    order by d.next_attempt_at, d.id limit size for update skip locked
  ), other as materialized (
    select d.id from app.mail d where d.state = 'due' and d.kind not in ('enrolment-code', 'emergency-code', 'factor-link')
      and d.next_attempt_at <= at and (d.leased_until is null or d.leased_until <= at)
    order by d.next_attempt_at, d.id limit greatest(0, size - (select count(*) from urgent)) for update skip locked
  )
  update app.mail m set attempts = m.attempts + 1, leased_until = until
  from (select id from urgent union all select id from other) taken
  where m.id = taken.id
  returning m.*
$$;

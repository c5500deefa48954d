-- What one certificate costs the database, for pgbench: the statements of src/ca/reservation.ts, then, once in :batch times,
-- those with which the signer commits a batch. Made-up values in the sizes of real ones; one device for each client. The
-- connection comes with the role and the tenant, so that pgbench has not even to say them.
-- pgbench -M prepared -D round=… -D batch=… -D n=0
\set n :n + 1
begin;
with device as (
  select id, pharmacy_id, name, platform, retired_at from app.device where id = ('00000000-0000-7000-8000-' || lpad((:client_id)::text, 12, '0'))::uuid for share
), account as (
  select disabled_at from app.account where id = '00000000-0000-7000-8000-0000000000a0' for share
), membership as (
  select id from app.membership where account_id = '00000000-0000-7000-8000-0000000000a0' and pharmacy_id = (select pharmacy_id from device)
    and valid_from <= now() and (valid_to is null or valid_to > now()) limit 1 for share
)
select pg_advisory_xact_lock(hashtextextended(:round || ':' || :client_id || ':' || :n, 0)), device.pharmacy_id, device.name, device.platform,
  device.retired_at is not null, (select disabled_at is not null from account), exists (select from membership), issuer.id, issuer.not_after,
  exists (select from ca.journal_mark where quarantined_at is not null)
from device left join ca.issuer on issuer.kind = 'issuing' and issuer.state = 'active';
with wish as (
  select decode(md5(:round || ':' || :client_id || ':' || :n), 'hex') as serial, sha256(decode(md5(:round || ';' || :client_id || ':' || :n), 'hex')) as spki_sha256
), known as (
  select i.serial, i.state, i.reason, b.device_id from ca.issued i left join app.binding b on b.serial = i.serial and b.bound_to is null
  where i.spki_sha256 = (select spki_sha256 from wish) and i.state not in ('refused', 'abandoned')
), reserved as (
  insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, spki, spki_sha256, not_before, not_after,
    key_origin, request_hash, reserved_at)
  select serial, 'issuing-g1', 'device-client', spki_sha256, get_byte(serial, 15) % 16, 'reserved', '受付1号機 2027-12',
    'spiffe://suido.localhost/device/00000000-0000-7000-8000-000000000000', decode(repeat('5a', 91), 'hex'), spki_sha256, now(),
    now() + interval '13 months', 'subject', spki_sha256, now()
  from wish where not exists (select from known)
  returning serial
), bound as (
  insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
  select gen_random_uuid(), serial, app.current_corporation(), '00000000-0000-7000-8000-0000000000b0',
    ('00000000-0000-7000-8000-' || lpad((:client_id)::text, 12, '0'))::uuid, '00000000-0000-7000-8000-0000000000a0', now()
  from reserved
), audit as (
  insert into app.audit (id, at, actor, action, subject, corporation_id, detail)
  select gen_random_uuid(), now(), 'api-key:00000000-0000-7000-8000-000000000000', 'certificate.requested',
    'certificate/' || encode(serial, 'hex'), app.current_corporation(),
    '{"deviceId": "00000000-0000-7000-8000-000000000000", "accountId": "00000000-0000-7000-8000-0000000000a0", "pharmacyId": "00000000-0000-7000-8000-0000000000b0", "profile": "device-client", "keyOrigin": "subject"}'::jsonb
  from reserved
), event as (
  insert into app.event (id, at, type, subject, corporation_id, data)
  select gen_random_uuid(), now(), 'jp.suido.certificate.requested', 'certificate/' || encode(serial, 'hex'), app.current_corporation(),
    '{"deviceId": "00000000-0000-7000-8000-000000000000", "accountId": "00000000-0000-7000-8000-0000000000a0", "pharmacyId": "00000000-0000-7000-8000-0000000000b0", "profile": "device-client", "keyOrigin": "subject"}'::jsonb
  from reserved
)
select count(*) from known;
commit;
\if :n % :batch = 0
begin;
set local role suido_signer;
update ca.journal_mark set seq = seq + :batch::int;
with signed as (
  select decode(md5(:round || ':' || :client_id || ':' || i), 'hex') as serial,
    decode(repeat(md5(:round || ':' || :client_id || ':' || i), 44), 'hex') as der
  from generate_series(:n::int - :batch::int + 1, :n::int) as i
)
update ca.issued i set state = 'good', der = signed.der, der_sha256 = sha256(signed.der), issued_at = now(), good_xid = pg_current_xact_id()
from signed where i.serial = signed.serial and i.state = 'reserved';
with fact as (
  select 'certificate/' || md5(:round || ':' || :client_id || ':' || i) as subject,
    '{"issuerId": "issuing-g1", "deviceId": "00000000-0000-7000-8000-000000000000", "accountId": "00000000-0000-7000-8000-0000000000a0", "pharmacyId": "00000000-0000-7000-8000-0000000000b0", "profile": "device-client", "keyOrigin": "subject"}'::jsonb as detail
  from generate_series(:n::int - :batch::int + 1, :n::int) as i
), audit as (
  insert into app.audit (id, at, actor, action, subject, corporation_id, detail)
  select gen_random_uuid(), now(), 'signer', 'certificate.issued', subject, '00000000-0000-7000-8000-0000000000c0', detail from fact
)
insert into app.event (id, at, type, subject, corporation_id, data)
select gen_random_uuid(), now(), 'jp.suido.certificate.issued', subject, '00000000-0000-7000-8000-0000000000c0', detail from fact;
commit;
\endif

-- All that a list says of a certificate, in the index that finds those to be listed: a list is then read from some tens of
-- megabytes, where the table has a thousand.
drop index ca.issued_by_shard;
create index issued_by_shard on ca.issued (issuer_id, shard, not_after) include (serial, reason, revoked_at)
  where state in ('hold', 'revoked');

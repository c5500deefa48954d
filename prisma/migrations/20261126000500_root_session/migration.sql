-- What is asked of the offline root, and what came back.

-- Written by the signer at its start: with its key elsewhere, nothing can be signed for a CA but in a root session.
alter table ca.issuer add column is_key_away boolean not null default false;

create table ca.root_request (
  id           uuid primary key,
  root_id      text not null references ca.issuer (id),
  -- open → answered → imported; answered → open again when the check finds anything; open → withdrawn.
  state        text not null check (state in ('open', 'answered', 'imported', 'withdrawn')),
  requested_at timestamptz not null,
  -- The file as it went out: what comes back is held against these very bytes.
  request      text not null,
  -- Reserved in ca.issued for what the root signs. They wait for weeks, so the signer does not give them up.
  serials      bytea[] not null,
  response     text,
  -- Who brought the response, as the audit log names them.
  answered_by  text,
  -- What the last response was refused for.
  findings     text[],
  closed_at    timestamptz,
  constraint answered_has_response check (state in ('open', 'withdrawn') or (response is not null and answered_by is not null)),
  constraint closed_has_time check ((state in ('imported', 'withdrawn')) = (closed_at is not null))
);
comment on table ca.root_request is 'What a root session has been asked to sign.';
create unique index root_request_one_at_work on ca.root_request (root_id) where state in ('open', 'answered');

grant select on ca.root_request to suido_signer, suido_worker;
grant insert, update on ca.root_request to suido_signer;

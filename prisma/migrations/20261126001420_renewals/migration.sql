-- A device that shows its certificate in a handshake has said who it is: what it gets is a link of a kind of its own, which
-- opens once, within a minute, and for a person who needs not be identified again.
alter table app.enrolment
  add column replaces bytea references ca.issued (serial),
  drop constraint enrolment_identified_how_check,
  add constraint enrolment_identified_how_check
    check (identified_how in ('telephone', 'video-call', 'in-person', 'mailed-code', 'sign-in', 'manager', 'certificate'));
create index enrolment_by_replaces on app.enrolment (replaces) where replaces is not null;
alter table app.enrolment_link
  drop constraint enrolment_link_kind_check,
  add constraint enrolment_link_kind_check check (kind in ('link', 'code', 'renewal'));
grant delete on app.enrolment_link to suido_app;

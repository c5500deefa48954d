-- Asked several times a second, and nearly always about nothing: a plan that was made while there were few pharmacies and
-- stages, and kept, would read all of them each time.
alter function app.authorization_pharmacies(xid8) set plan_cache_mode = force_custom_plan;
alter function app.authorization_pharmacies(xid8) set enable_seqscan = off;
alter function party.changed_since(xid8) set plan_cache_mode = force_custom_plan;
alter function party.changed_since(xid8) set enable_seqscan = off;

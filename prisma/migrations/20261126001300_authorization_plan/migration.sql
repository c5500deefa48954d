-- Which changes are new is known only when it is asked: a plan for any number takes a third of all bindings for new, and
-- reads all of them each second.
alter function app.authorization_changes(xid8) set plan_cache_mode = force_custom_plan;

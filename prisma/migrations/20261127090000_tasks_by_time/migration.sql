-- What a transaction has opened and closed is found by its time: closed tasks stay for years.
create index task_by_opening on app.task (opened_at);
create index task_by_closing on app.task (closed_at);

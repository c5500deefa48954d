-- Long lists are written while they are checked, and become current afterwards: that is what the VA wants to hear of.
create trigger announce_current_list after update of current on ca.list for each row
  when (new.current and not old.current and new.scope = 'full') execute function ca.announce_list();

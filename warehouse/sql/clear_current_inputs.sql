delete from current_input

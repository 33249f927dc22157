-- Logs a command that changed something. Parameters: $started, $ended, $command, $summary
insert into run values ($started, $ended, $command, $summary)

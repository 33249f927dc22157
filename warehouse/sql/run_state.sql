-- Grain: one row, the number of commands that changed something and when the last of them ended, in microseconds.
select count(*), max(epoch_us(ended_at)) from run

-- Kept rows that a person should read, with the reason
select verdicts.reason, examples.id, examples.source, examples.messages->'$[#-1]'->>'$.content' as answer
from verdicts join examples on examples.id = verdicts.subject_id
where verdicts.is_kept and verdicts.reason like 'flag:%' order by verdicts.reason, examples.id

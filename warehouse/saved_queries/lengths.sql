-- Tokens of prompts and answers by source
select source, count(*) as rows, round(avg(tokens)) as mean_tokens, median(tokens) as median_tokens,
    quantile_cont(tokens, 0.95) as p95_tokens
from corpus group by source order by source

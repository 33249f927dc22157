-- Grain: one kept example of the train split, single-turn and short. $category may be null: all of them.
select id, prompt, answer
from corpus
where split = 'train'
    and language = $language
    and ($category is null or category = $category)
    and tokens <= $max_tokens
    and json_array_length(messages) = 2
order by quality desc, id
limit $max_rows

-- Marks models that were trained on an example named in `doomed_examples`: weights cannot forget.
update adapter set is_withdrawn = true where id in (
    select adapter_id from adapter_member where example_id in (select id from doomed_examples)
)

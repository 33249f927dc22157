delete from review_label

-- Documents, examples and kept rows of each source
select source, documents, examples, kept, kept_tokens, refused_input, licences from sources

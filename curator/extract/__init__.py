"""From documents to examples: one file a kind of document, pure functions of frames."""

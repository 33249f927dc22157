"""Domain packs: the bundled ones (fitness, golf) and the loader that also reads anyone's own."""

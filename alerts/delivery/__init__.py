"""The steps of one delivery: choosing what goes together, claiming it, recording what became of it, looking it up."""

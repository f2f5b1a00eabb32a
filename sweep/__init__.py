"""Study, plan, run on Ray, resume, command line: the engine around model, sampling and storage."""

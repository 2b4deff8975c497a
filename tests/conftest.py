from hypothesis import settings

# A shared machine can stall for longer than any deadline per example; pytest's timeout still holds.
settings.register_profile("featuresync", deadline=None)
settings.load_profile("featuresync")

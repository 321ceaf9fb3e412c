"""The simulated city: invented people, buildings and officials who use the services as terminals do, over HTTP."""

"""The loop of agents: a model that calls tools, by function calling or by ReAct."""

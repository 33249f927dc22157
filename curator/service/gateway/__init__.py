"""The gateway: OpenAI's and Ollama's chat interfaces in front of the deployed model, with the pack's prompts added."""

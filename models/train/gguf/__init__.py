"""GGUF: a fine-tuned model as one file that llama.cpp runs."""

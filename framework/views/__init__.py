"""Pure views: records in, escaped HTML or figures out. Nothing here reads a database or knows of Gradio."""

"""QLoRA: fine-tunes a large language model to say a product's price, and measures it."""

import logging
import warnings

# Hints of the libraries to each other, not to the owner: a kernel for 4 bits on a CPU, a name that changes in the next
# version of transformers.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

"""From an export folder to an adapter, a merged model, GGUF and a Modelfile; needs the extra `train` to run.

Takes plain schema objects and folders and returns reports; whoever calls records them. Everything heavy is imported
when it is used.
"""

from train.recipe import ResolvedRecipe, list_recipes, load_recipe
from train.run import Request, check_training, plan_training, train_model

__all__ = [
    "Request",
    "ResolvedRecipe",
    "check_training",
    "list_recipes",
    "load_recipe",
    "plan_training",
    "train_model",
]

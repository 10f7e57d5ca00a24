"""The specialist: the member of the ensemble that was trained for pricing."""

from models.specialist.estimator import Specialist

__all__ = ["Specialist"]

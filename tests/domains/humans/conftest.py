from support.model_server import model_server, model_server_process
from support.served_fixtures import served

__all__ = ["model_server", "model_server_process", "served"]

"""The documents for who builds on the system (接口文档): every route, every event, as this process knows them."""

"""The words of the API page in both languages."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}

WORDS: Final[dict[str, dict[str, str]]] = {
    "zh": {
        "title": "接口文档",
        "suite": "广东公共就业服务",
        "other": "English",
        "intro": "全部服务的接口，由网关从各服务自己的说明合并而成。",
        "document": "OpenAPI 文档（JSON）",
        "services": "服务",
        "overview": "总览",
        "operation": "个接口",
        "operations": "个接口",
        "missing": "暂时无法读取以下服务的接口说明：",
        "nothing": "没有该服务的接口说明。",
        "parameters": "参数",
        "body": "请求内容",
        "answers": "返回",
        "example": "示例",
        "name": "名称",
        "place": "位置",
        "type": "类型",
        "meaning": "说明",
        "required": "必填",
        "deprecated": "已停用",
        "query": "查询",
        "path": "路径",
        "header": "请求头",
        "cookie": "Cookie",
        "and_more": "（结构同上）",
        "contents": "目录",
        "skip": "跳到正文",
    },
    "en": {
        "title": "API documentation",
        "suite": "Guangdong public employment services",
        "other": "中文",
        "intro": "The interfaces of every service, put together by the gateway from their own"
        " descriptions.",
        "document": "OpenAPI document (JSON)",
        "services": "Services",
        "overview": "Overview",
        "operation": "operation",
        "operations": "operations",
        "missing": "The descriptions of these services cannot be had at the moment:",
        "nothing": "There is no description of that service.",
        "parameters": "Parameters",
        "body": "Request body",
        "answers": "Answers",
        "example": "Example",
        "name": "Name",
        "place": "In",
        "type": "Type",
        "meaning": "Meaning",
        "required": "required",
        "deprecated": "deprecated",
        "query": "query",
        "path": "path",
        "header": "header",
        "cookie": "cookie",
        "and_more": "(as above)",
        "contents": "Contents",
        "skip": "Skip to the content",
    },
}

# What statuses mean, for the page in Chinese; the services say it in English.
STATUSES: Final = {
    200: "成功", 201: "已创建", 202: "已接受", 204: "成功，无返回内容", 303: "转到其他地址",
    304: "内容未变化", 400: "请求有误", 401: "需要登录", 403: "没有权限", 404: "未找到",
    409: "与当前状态冲突", 410: "已不存在", 412: "内容已被更新", 413: "内容过大",
    415: "不支持的内容类型", 422: "填写内容有误", 428: "缺少必要的请求头", 429: "操作过于频繁",
    500: "系统出现错误", 502: "服务响应异常", 503: "系统繁忙",
}  # fmt: skip

"""What devices are refused."""

from shared.web.problems import Problem


class UnknownCode(Problem):
    """No device shows this code, or it has run out."""

    status = 404
    code = "unknown_device_code"
    title_zh = "没有设备显示该验证码,或验证码已过期"
    title_en = "No device shows this code, or the code has run out"

"""What can go wrong with devices.

Unauthenticated
└── DeviceRefused         device_refused          no device, no secret of it, or one that may not call: all alike
NotFound
└── DeviceNotFound        device_not_found        absent, or not for this caller
Conflict
├── DeviceExists          device_exists           serial number or hardware address is registered already
└── DeviceStateRefuses    device_state            not from the state that the device is in
Invalid
├── DeviceHolderUnknown   device_holder_unknown   nobody who could have it: absent, gone, or not known to the caller
└── DevicePlaceUnknown    device_place_unknown    no such department
"""

from app.kit.errors import Conflict, FieldError, Invalid, NotFound, Unauthenticated

REALM = 'Basic realm="duanhao devices", charset="UTF-8"'


class DeviceRefused(Unauthenticated):
    """No credentials, wrong ones, or those of a device that is unknown, in stock, suspended, lost or retired."""

    code, title, title_zh = "device_refused", "The device is not admitted", "设备未获准访问"

    def __init__(self) -> None:
        """Ask for credentials, as RFC 7617 does."""
        super().__init__(headers={"WWW-Authenticate": REALM})


class DeviceNotFound(NotFound):
    """There is no such device for this caller."""

    code, title, title_zh = "device_not_found", "No such device", "设备不存在"


class DeviceExists(Conflict):
    """Another device that is not retired has this serial number or hardware address."""

    code, title, title_zh = "device_exists", "The device is registered already", "设备已登记"

    def __init__(self, member: str | None = None) -> None:
        """Point at the member, where it is known which."""
        named = [] if member is None else [FieldError(f"/{member}", self.code, self.title, self.title_zh)]
        super().__init__(errors=named)


class DeviceStateRefuses(Conflict):
    """What was asked for cannot be done in the device's state."""

    code, title, title_zh = "device_state", "Not in the state that the device is in", "设备当前状态不允许此操作"

    def __init__(self, state: str) -> None:
        """Tell the state."""
        super().__init__(state=state)


class DeviceHolderUnknown(Invalid):
    """Nobody who could have a device: absent, gone, or not known to the caller, all alike."""

    code, title, title_zh = (
        "device_holder_unknown",
        "This is nobody who can have a device",
        "持有者不存在或不可领用设备",
    )

    def __init__(self, pointer: str = "/holder/id") -> None:
        """Point at the holder."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class DevicePlaceUnknown(Invalid):
    """A device stands in a department that there is."""

    code, title, title_zh = "device_place_unknown", "There is no such department", "部门不存在"

    def __init__(self) -> None:
        """Point at the department."""
        super().__init__(errors=[FieldError("/department", self.code, self.title, self.title_zh)])
